// npm audit as CI wants it: what is known to be high or critical fails, other findings are listed, and a registry that does not answer is said aloud.
import { spawnSync } from 'node:child_process';

const { stdout, stderr, error } = spawnSync('npm', ['audit', '--package-lock-only', '--json'], { encoding: 'utf8', timeout: 120_000, maxBuffer: 64 * 1024 * 1024 });
let report;
try {
  report = JSON.parse(stdout);
} catch {
  report = undefined;
}
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  const why = String(report?.message ?? error?.message ?? stderr ?? '').split('\n')[0].replace(/https?:\/\/\S+/g, 'the registry');
  console.log(`npm audit: NOT CHECKED, the registry gave no answer (${why || 'nothing was said'}); run npm audit where it can be reached`);
} else {
  for (const { name, severity, via } of Object.values(report.vulnerabilities ?? {}))
    console.log(`npm audit: ${severity}: ${name}: ${via.map((cause) => (typeof cause === 'string' ? `through ${cause}` : `${cause.title} (${cause.url})`)).join('; ')}`);
  console.log(`npm audit: ${counts.critical} critical, ${counts.high} high, ${counts.moderate} moderate, ${counts.low} low`);
  if (counts.critical + counts.high > 0) process.exitCode = 1;
}
