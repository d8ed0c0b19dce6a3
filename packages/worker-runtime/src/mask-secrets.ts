/**
 * The password part of a URL: from the colon after the user up to the last `@` before the path. A password with an
 * unescaped `@` is covered, a port (`host:5672/a@b`) is not taken for one.
 */
const urlPassword = /(:\/\/[^\s:@/"'?#]*):[^\s"'/?#]*@/g

/** A mail address. The top-level domain must be letters, so `package@1.2.3` in a stack trace stays readable. */
const mailAddress =
  /[\p{L}\p{M}\p{N}_.+%~!$*-]+@[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)*\.(?:xn--[a-z\d-]+|[\p{L}\p{M}]{2,})/giu

const url = /\b(?:[a-z][a-z\d+.-]*:\/\/|www\.)\S+/gi

/** The part before the `@` that may hold blanks: `"ada lovelace"@example.com`. */
const quotedLocalPart = /"[^"]*"(?=[@＠﹫])/g

const word = /[^\s<>"(),;:]+/g

/** `ada%40example.com` too: an address in a URL's form. */
const addressMark = /.(?:[@＠﹫]|%40)|[@＠﹫]./i

/** Ids, keys and signatures look like this; the same of letters alone is a word. */
const tokenLike = /[\w+/=:-]{24,}/g

/** Replaces the password in every URL of a text, whatever the scheme. */
export function maskUrlPasswords(text: string): string {
  return text.includes('://') ? text.replace(urlPassword, '$1:[redacted]@') : text
}

/** Replaces URL passwords and mail addresses. For texts of our own: error messages, stacks. */
export function maskSecrets(text: string): string {
  return text.includes('@') ? maskUrlPasswords(text).replace(mailAddress, '[address]') : text
}

/**
 * Replaces every URL, whatever may be a mail address, and what may be a token. For texts of a far end, which likes to
 * name the recipient, a page that explains, and the number of the session.
 */
export function maskAnswer(text: string): string {
  return text
    .replace(url, '[url]')
    .replace(quotedLocalPart, 'x')
    .replace(word, (each) => (addressMark.test(each) ? '[address]' : each))
    .replace(tokenLike, (each) => (/\d/.test(each) ? '[token]' : each))
}
