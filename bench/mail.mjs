// @ts-check

const paragraph =
  'The minutes of Thursday’s meeting are on the project page. Please look through what was decided about your part, ' +
  'and say until Monday if something is missing or wrong. The next meeting is in two weeks, at the same place.'
const paragraphs = [paragraph, paragraph, paragraph]

/**
 * A mail of two parts, about 2.5 kB as it is sent.
 * @param {string[]} to
 * @returns {import('@mono/contracts').EmailMessage}
 */
export function createMail(to) {
  return {
    to,
    subject: 'Minutes of the meeting on Thursday',
    text: paragraphs.join('\n\n'),
    html: `<h1>Minutes</h1>${paragraphs.map((text) => `<p>${text}</p>`).join('\n')}`,
    tenantId: 42,
  }
}

/** No two the same, and all of one length. @param {number} index */
export const addressOf = (index) => `user-${String(index).padStart(6, '0')}@example.com`
