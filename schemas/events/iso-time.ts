/** ISO 8601 / RFC 3339 date and time with a zone; seconds and their fraction may be left out, a space may stand for the T. */
const ISO_TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|z|([+-])(\d\d):?(\d\d))$/;

/**
 * Epoch milliseconds of an ISO 8601 time with zone, fractions below a millisecond cut off; NaN where the text is none.
 * Unlike Date.parse it takes nothing else (no local times, no day 30 of February, no names of months), on every engine alike.
 */
export function parseIsoTime(text: string): number {
  const match = text.length > 40 ? null : ISO_TIME.exec(text);
  if (match === null) return NaN;
  const [, year, month, day, hour, minute, second = '0', fraction = '', sign, zoneHour = '0', zoneMinute = '0'] = match;
  const date = Date.UTC(+year!, +month! - 1, +day!);
  if (+hour! > 23 || +minute! > 59 || +second > 59 || +zoneHour > 23 || +zoneMinute > 59) return NaN;
  const check = new Date(date);
  // Date.UTC rolls over (30 February becomes 2 March) and takes years under 100 for 19xx: both show here.
  if (check.getUTCFullYear() !== +year! || check.getUTCMonth() !== +month! - 1 || check.getUTCDate() !== +day!) return NaN;
  const clock = ((+hour! * 60 + +minute!) * 60 + +second) * 1000 + +fraction.padEnd(3, '0').slice(0, 3);
  const zone = (+zoneHour * 60 + +zoneMinute) * 60_000;
  return date + clock - (sign === '-' ? -zone : zone);
}
