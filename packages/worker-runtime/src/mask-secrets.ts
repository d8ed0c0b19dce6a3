/**
 * The password part of a URL: from the colon after the user up to the last `@` before the path. A password with an
 * unescaped `@` is covered, a port (`host:5672/a@b`) is not taken for one.
 */
const urlPassword = /(:\/\/[^\s:@/"'?#]*):[^\s"'/?#]*@/g

/** A mail address. The top-level domain must be letters, so `package@1.2.3` in a stack trace stays readable. */
const mailAddress = /[\w.+%-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/gi

/** Replaces the password in every URL of a text, whatever the scheme. */
export function maskUrlPasswords(text: string): string {
  return text.includes('://') ? text.replace(urlPassword, '$1:[redacted]@') : text
}

/** Replaces URL passwords and mail addresses. For texts written by others: error messages, stacks, broker replies. */
export function maskSecrets(text: string): string {
  return text.includes('@') ? maskUrlPasswords(text).replace(mailAddress, '[address]') : text
}
