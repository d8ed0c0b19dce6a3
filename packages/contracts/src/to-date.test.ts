import { describe, expect, test } from 'vitest'
import { toDate } from './to-date.js'

const instant = new Date('2025-04-01T09:30:00.250Z')
const wholeSecond = new Date('2025-04-01T09:30:00Z')

describe('toDate', () => {
  test.each([
    ['JavaScript, Date in JSON', '2025-04-01T09:30:00.250Z'],
    ['Java, Instant with microseconds', '2025-04-01T09:30:00.250123Z'],
    ['Java, Instant with nanoseconds', '2025-04-01T09:30:00.250123456Z'],
    ['Java, OffsetDateTime', '2025-04-01T11:30:00.250+02:00'],
    ['Java, Jackson 2 and Spring of java.util.Date', '2025-04-01T09:30:00.250+0000'],
    ['C#, DateTimeOffset in JSON and as "O"', '2025-04-01T09:30:00.2501234+00:00'],
    ['C#, DateTime of UTC', '2025-04-01T09:30:00.2501234Z'],
    ['PHP, DATE_RFC3339_EXTENDED', '2025-04-01T11:30:00.250+02:00'],
    ['PHP, Carbon in JSON', '2025-04-01T09:30:00.250123Z'],
    ['Python, isoformat()', '2025-04-01T09:30:00.250123+00:00'],
    ['Python, str()', '2025-04-01 09:30:00.250123+00:00'],
    ['Python, strftime with %z', '2025-04-01T15:00:00.250123+0530'],
    ['Go, time.RFC3339Nano', '2025-04-01T06:30:00.25-03:00'],
    ['Ruby, iso8601(3)', '2025-04-01T09:30:00.250Z'],
    ['Rust, chrono', '2025-04-01T09:30:00.250123456+00:00'],
    ['Rust, chrono, to_string()', '2025-04-01 09:30:00.250123456 UTC'],
    ['Haskell, aeson, with picoseconds', '2025-04-01T09:30:00.250123456789Z'],
    ['PostgreSQL, timestamptz as text', '2025-04-01 09:30:00.25+00'],
    ['PostgreSQL, timestamptz in India', '2025-04-01 15:00:00.25+05:30'],
    ['JavaScript, Temporal.ZonedDateTime in JSON', '2025-04-01T11:30:00.25+02:00[Europe/Berlin]'],
    ['Java, ZonedDateTime of a zone with digits', '2025-03-31T21:30:00.250-12:00[Etc/GMT+12]'],
    ['RFC 9557 in UTC', '2025-04-01T09:30:00.250Z[Etc/GMT+12]'],
    ['RFC 3339 in lower case', '2025-04-01t09:30:00.250z'],
    ['RFC 3339 with an unknown local offset', '2025-04-01T09:30:00.250-00:00'],
    ['ISO 8601 with a comma', '2025-04-01T09:30:00,250+00:00'],
  ])('reads %s: %s', (_writer, text) => {
    expect(toDate(text)).toEqual(instant)
  })

  test.each([
    ['Java, Instant of a whole second', '2025-04-01T09:30:00Z'],
    ['Java, OffsetDateTime of a whole minute', '2025-04-01T11:30+02:00'],
    ['C#, DateTime as "u"', '2025-04-01 09:30:00Z'],
    ['PHP, DATE_ATOM', '2025-04-01T09:30:00+00:00'],
    ['PHP, DATE_ISO8601', '2025-04-01T09:30:00+0000'],
    ['Ruby, Time in JSON without Rails', '2025-04-01 11:30:00 +0200'],
    ['Ruby, Time of UTC in JSON without Rails', '2025-04-01 09:30:00 UTC'],
  ])('reads %s: %s', (_writer, text) => {
    expect(toDate(text)).toEqual(wholeSecond)
  })

  test.each([
    ['.9', '23:59:59.900'],
    ['.99', '23:59:59.990'],
    ['.9999', '23:59:59.999'],
    ['.0009', '23:59:59.000'],
    [`.${'9'.repeat(100)}`, '23:59:59.999'],
  ])('cuts the fraction %s to milliseconds and never rounds up', (fraction, time) => {
    for (const zone of ['Z', '+00', '-0000', ' UTC']) {
      expect(toDate(`2024-12-31T23:59:59${fraction}${zone}`)?.toISOString()).toBe(`2024-12-31T${time}Z`)
    }
  })

  test('agrees with the parser of JavaScript on what both take', () => {
    for (let index = 0; index < 2_000; index += 1) {
      const year = String(1 + ((index * 7_919) % 9_998)).padStart(4, '0')
      const [month, day, hour] = [1 + (index % 12), 1 + (index % 28), index % 24].map((part) =>
        String(part).padStart(2, '0'),
      )
      const text = `${year}-${month}-${day}T${hour}:${String(index % 60).padStart(2, '0')}:59.${index % 1_000}${index % 2 === 0 ? 'Z' : '-11:30'}`
      const expected = Date.parse(text)
      if (expected >= Date.parse('0001-01-01T00:00:00Z'))
        expect([text, toDate(text)?.getTime()]).toEqual([text, expected])
    }
  })

  test.each(['0001-01-01T00:00:00Z', '2024-02-29T23:59:59.9-11:30', '2000-02-29T00:00Z', '9999-12-31T23:59:59.999Z'])(
    'takes %s, which is just within the calendar',
    (text) => {
      expect(toDate(text)).toEqual(new Date(text))
    },
  )

  test.each([
    ['no offset', '2025-04-01T09:30:00'],
    ['no offset, as of a LocalDateTime or MySQL', '2025-04-01 09:30:00.250'],
    ['no time', '2025-04-01'],
    ['month 13', '2025-13-01T09:30:00Z'],
    ['month 0', '2025-00-01T09:30:00Z'],
    ['day 0', '2025-04-00T09:30:00Z'],
    ['the 29th of February of a common year', '2025-02-29T09:30:00Z'],
    ['the 29th of February of a century', '2100-02-29T09:30:00Z'],
    ['the 31st of April', '2025-04-31T09:30:00Z'],
    ['hour 24', '2025-04-01T24:00:00Z'],
    ['minute 60', '2025-04-01T09:60:00Z'],
    ['second 60', '2025-04-01T09:30:60Z'],
    ['an offset of 24 hours', '2025-04-01T09:30:00+24:00'],
    ['an offset of 60 minutes', '2025-04-01T09:30:00+0160'],
    ['an offset of three digits', '2025-04-01T09:30:00+020'],
    ['an offset and Z', '2025-04-01T09:30:00+02:00Z'],
    ['a zone by name', '2025-04-01T09:30:00 CEST'],
    ['a local time with a zone in brackets only', '2025-04-01T09:30:00[Europe/Berlin]'],
    ['an open bracket', '2025-04-01T09:30:00Z[Europe/Berlin'],
    ['a fraction without digits', '2025-04-01T09:30:00.Z'],
    ['a fraction of a minute', '2025-04-01T09:30.5Z'],
    ['the year 10000', '+010000-01-01T00:00:00Z'],
    ['the year 0', '0000-06-01T00:00:00Z'],
    ['an instant before the year 1', '0001-01-01T00:00:00+00:01'],
    ['an instant after the year 9999', '9999-12-31T23:59:59-00:01'],
    ['a line break behind it', '2025-04-01T09:30:00Z\n'],
    ['a blank before it', ' 2025-04-01T09:30:00Z'],
    ['two blanks in it', '2025-04-01  09:30:00Z'],
    ['digits of another script', '２０２５-04-01T09:30:00Z'],
    ['a date of HTTP', 'Tue, 01 Apr 2025 09:30:00 GMT'],
    ['an order of other countries', '01.04.2025 09:30:00+02:00'],
    ['what the parser of JavaScript takes', 'garbage 12'],
    ['milliseconds as a number', 1_743_499_800_000],
    ['seconds as text', '1743499800'],
    ['a Date', instant],
    ['nothing', null],
  ])('refuses %s: %j', (_what, text) => {
    expect(toDate(text)).toBeUndefined()
  })
})
