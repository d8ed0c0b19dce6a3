import { encodeWord } from 'nodemailer/lib/mime-funcs'

/** An encoded word may have 75 characters (RFC 2047, section 2); so may a line, which then needs no break inside a word. */
const maxWordLength = 52

/** Printable ASCII in short words, with one blank between them: it can be folded at every blank and unfolded again. */
const foldable = new RegExp(`^(?:[!-~]{1,${maxWordLength}}(?: (?=.)|$))*$`)

/**
 * A subject for nodemailer, which passes on encoded words as they are and folds between them.
 *
 * nodemailer encodes what is not ASCII. It leaves a long word as it is, which makes a line longer than the 998 octets
 * that a server must take, and folds a run of blanks into lines of blanks, some of which are lost.
 * What only looks like an encoded word is encoded too: else people would read something other than what was sent.
 */
export function encodeSubject(subject: string): string {
  const line = subject.replace(/\r?\n|\r/g, ' ')
  return foldable.test(line) && !line.includes('=?') ? line : encodeWord(line, 'Q', maxWordLength)
}
