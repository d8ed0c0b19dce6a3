// @ts-check

/** A mail without what differs from one to the next. @param {string} mail */
export function withoutIds(mail) {
  return mail
    .replace(/[0-9a-f]{16,}/g, (id) => `${id.length} hexadecimal digits`)
    .replace(/^Date: .*$/m, (date) => `Date of ${date.length} characters`)
    .replace(/\d{6}(?=@)/g, '6 digits')
}
