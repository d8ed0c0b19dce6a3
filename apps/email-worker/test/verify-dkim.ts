import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import type { DkimRecord } from './dkim-key.js'

export interface DkimVerdict {
  /** `pass`, `fail`, `neutral` (the body is another), … */
  result: string
  /** The domain that signed, if it speaks for the one in From. */
  aligned: string | undefined
  /** The signature's own tags: `a`, `c`, `h` and so on, without white space. */
  tags: Record<string, string>
  /** Names in lower case. */
  signedHeaders: string[]
}

/** As who receives the mail does it, with what the domain has published in place of DNS. There is one signature, or none. */
export async function verifyDkim(raw: Buffer | string, record: DkimRecord): Promise<DkimVerdict> {
  const resolver = async (name: string, type: string) => {
    if (name === record.name && type === 'TXT') return [record.strings]
    throw Object.assign(new Error(`no ${type} record of ${name}`), { code: 'ENOTFOUND' })
  }
  const { results } = await dkimVerify(Buffer.from(raw), { resolver })
  const [first, ...more] = results
  if (!first || more.length > 0) throw new Error(`Expected one signature, found ${results.length}`)
  const { result, aligned } = first.status
  const tags = readTags(raw.toString())
  return { result, aligned: aligned ? String(aligned) : undefined, tags, signedHeaders: (tags.h ?? '').split(':') }
}

function readTags(raw: string): Record<string, string> {
  const signature = /^DKIM-Signature:(.*(?:\r\n[ \t].*)*)/im.exec(raw)?.[1] ?? ''
  const tags = signature.replaceAll(/\s/g, '').split(';')
  return Object.fromEntries(tags.map((tag) => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]))
}
