import t from 'tap';
import { corsHeaders, mayBrowse, parseOrigins, preflightHeaders } from '../../../../../scorer/security/core/origin.js';

t.test('lists of origins', async (t) => {
  t.equal(parseOrigins(' * '), '*');
  t.same(parseOrigins('https://shop.example, http://10.0.0.1:3000,http://[::1]:8080'), new Set(['https://shop.example', 'http://10.0.0.1:3000', 'http://[::1]:8080']));
  for (const wrong of ['', 'shop.example', 'https://shop.example/', 'https://shop.example/x', '*,https://a.example', 'null', 'https://a b', 'https://a\r\nx: y', 'file://x'])
    t.equal(parseOrigins(wrong), undefined, JSON.stringify(wrong));
});

t.test('what a browser may ask', async (t) => {
  const list = parseOrigins('https://shop.example')!;
  const cases: readonly (readonly [string, string, string, boolean, boolean])[] = [
    // origin, host, what, open, may
    ['', 'tide.example', 'no browser', true, true],
    ['https://shop.example', 'tide.example', 'listed', true, true],
    ['https://evil.example', 'tide.example', 'another site', false, false],
    ['https://shop.example.evil.example', 'tide.example', 'a name that begins like a listed one', false, false],
    ['null', 'tide.example', 'a sandboxed page', false, false],
    ['https://tide.example', 'tide.example', 'its own page', false, true],
    ['http://127.0.0.1:8080', '127.0.0.1:8080', 'its own page on loopback', true, true],
    ['http://localhost:8080', 'localhost:8080', 'its own page on loopback by name', true, true],
    ['http://[::1]:8080', '[::1]:8080', 'its own page on loopback, IPv6', true, true],
    ['http://evil.example:8080', 'evil.example:8080', 'a name pointed at loopback, no keys', true, false],
    ['http://127.0.0.1.evil.example', '127.0.0.1.evil.example', 'a name that looks like loopback, no keys', true, false],
    ['http://127.0.0.1:3000', '127.0.0.1:8080', 'another port of this machine', true, false],
  ];
  for (const [origin, host, what, open, may] of cases) t.equal(mayBrowse({ origin, host }, list, open), may, what);
  t.equal(mayBrowse({ origin: 'https://any.example', host: 'x' }, '*', true), true, '* is everybody');
  t.equal(mayBrowse({ origin: 'https://shop.example', host: 'x' }, undefined, false), false, 'off unless set');
});

t.test('headers for pages', async (t) => {
  const list = parseOrigins('https://shop.example')!;
  const of = (headers: readonly string[] | null): Record<string, string> => Object.fromEntries(Array.from({ length: (headers ?? []).length / 2 }, (_, i) => [headers![2 * i], headers![2 * i + 1]]));
  t.match(of(corsHeaders('https://shop.example', list)), { 'access-control-allow-origin': 'https://shop.example', vary: 'origin', 'access-control-expose-headers': /retry-after/ });
  t.same(of(corsHeaders('https://evil.example', list)), { vary: 'origin' });
  t.same(of(corsHeaders('', list)), { vary: 'origin' }, 'caches keep answers apart also where nobody asked');
  t.match(of(corsHeaders('https://any.example', '*')), { 'access-control-allow-origin': '*', vary: undefined });
  t.match(of(preflightHeaders('https://shop.example', ['GET', 'POST'], list)), { 'access-control-allow-origin': 'https://shop.example', 'access-control-allow-methods': 'GET, POST', 'access-control-allow-headers': /authorization.*x-api-key/ });
  t.notHas(of(preflightHeaders('https://shop.example', ['GET'], list)), { 'access-control-allow-credentials': 'true' }, 'no cookies');
  t.equal(preflightHeaders('https://evil.example', ['GET'], list), null);
  t.equal(preflightHeaders('', ['GET'], list), null);
  t.equal(preflightHeaders('https://shop.example', [], list), null, 'a path without routes');
});
