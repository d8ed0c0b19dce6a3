/**
 * Tells whether a signature of `signing` speaks for mails from `from`, as DMARC's relaxed alignment has it: both belong to one
 * organisation. Without the list of public suffixes that is known for certain only where one domain is the other, or
 * above or below it. So two branches of one organisation (`news.example.com` and `mail.example.com`) are not seen to be
 * aligned, and a public suffix such as `co.uk` is not seen to be nobody's.
 *
 * @param signing in ASCII and lower case, as `from`
 */
export function isAligned(signing: string, from: string): boolean {
  return signing === from || from.endsWith(`.${signing}`) || signing.endsWith(`.${from}`)
}
