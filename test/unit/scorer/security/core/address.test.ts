import t from 'tap';
import { clientAddress, limitName, normalAddress } from '../../../../../scorer/security/core/address.js';
import { exposureProblem, isLoopback } from '../../../../../scorer/security/core/exposure.js';

t.test('addresses are written one way', async (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['10.0.0.1', '10.0.0.1'], ['256.0.0.1', undefined], ['1.2.3', undefined], ['', undefined], ['shop.example', undefined],
    ['::ffff:10.0.0.1', '10.0.0.1'], ['0000:0000:0000:0000:0000:ffff:7f00:0001', '127.0.0.1'],
    ['::1', '0:0:0:0:0:0:0:1'], ['0000:0000:0000:0000:0000:0000:0000:0001', '0:0:0:0:0:0:0:1'],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1'], ['2001:db8:0:0:1:2:3:4', '2001:db8:0:0:1:2:3:4'], ['::', '0:0:0:0:0:0:0:0'],
    ['1:2:3:4:5:6:7', undefined], ['1:2:3:4:5:6:7:8:9', undefined], ['1::2::3', undefined], ['12345::', undefined], ['1:2:3:4:5:6:7:8::', undefined],
  ];
  for (const [given, expected] of cases) t.equal(normalAddress(given), expected, given);
  t.equal(limitName('10.0.0.1'), '10.0.0.1');
  t.equal(limitName('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64', 'a customer of IPv6 has a /64');
});

t.test('who asks behind proxies', async (t) => {
  const proxies = new Set(['10.0.0.1', '10.0.0.2']);
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['9.9.9.9', '1.1.1.1', '9.9.9.9', 'a peer that is no proxy is not believed'],
    ['10.0.0.1', '1.1.1.1', '1.1.1.1', 'one proxy'],
    ['10.0.0.1', '6.6.6.6, 1.1.1.1', '1.1.1.1', 'what a client wrote itself stands further left'],
    ['10.0.0.1', '1.1.1.1, 10.0.0.2', '1.1.1.1', 'two proxies'],
    ['10.0.0.1', '', '10.0.0.1', 'a proxy that says nothing'],
    ['10.0.0.1', '1.1.1.1, nonsense', '10.0.0.1', 'a proxy that says nonsense'],
    ['10.0.0.1', '10.0.0.2', '10.0.0.2', 'a proxy that asks for itself'],
    ['10.0.0.1', '::FFFF:1.1.1.1', '1.1.1.1', 'mapped'],
  ];
  for (const [peer, forwarded, expected, what] of cases) t.equal(clientAddress(peer, forwarded, proxies), expected, what);
});

t.test('where a scorer may listen', async (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', 'LOCALHOST', '::1', '::ffff:127.0.0.1']) t.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'tide.example', 'localhost.example', '127.0.0.1.example', '']) t.notOk(isLoopback(host), host);
  const open = { host: '0.0.0.0', tls: false, keys: false, insecureAllowed: false };
  t.match(exposureProblem(open), /tidemark keys create.*SCORER_TLS_CERT_FILE.*SCORER_ALLOW_INSECURE=true/);
  t.match(exposureProblem({ ...open, keys: true }), /without TLS/);
  t.match(exposureProblem({ ...open, tls: true }), /without keys/);
  t.equal(exposureProblem({ ...open, tls: true, keys: true }), undefined);
  t.equal(exposureProblem({ ...open, insecureAllowed: true }), undefined);
  t.equal(exposureProblem({ ...open, host: '127.0.0.1' }), undefined);
});
