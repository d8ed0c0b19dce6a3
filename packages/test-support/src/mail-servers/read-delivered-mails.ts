import { parseReceivedMail, type ReceivedMail } from '../sinks/parse-received-mail.js'

/** A mail as the server has delivered it, with the lines that it has put before it; lines end with LF. */
export interface DeliveredMail extends ReceivedMail {
  /** Under which the server took it. */
  queueId: string | undefined
}

/** @param archive tar, of a Maildir */
export async function readDeliveredMails(archive: Buffer): Promise<DeliveredMail[]> {
  const mails = listFiles(archive).map(async (raw) => {
    const mail = await parseReceivedMail(raw, { from: '', to: [], answered: true })
    const { headers } = mail
    return {
      ...mail,
      from: toAddress(headers['return-path']),
      // Of Postfix, and of Exim.
      to: [toAddress(headers['x-original-to'] ?? headers['envelope-to'])],
      queueId: /\bid ([\w-]+)/.exec(headers.received ?? '')?.[1],
      // To the second.
      at: Date.parse(/;\s*(.*)$/.exec(headers.received ?? '')?.[1] ?? ''),
    }
  })
  return await Promise.all(mails)
}

/** Without brackets; with the letters of its language (RFC 6532). */
const toAddress = (value = '') =>
  Buffer.from(value, 'latin1')
    .toString()
    .replace(/^<(.*)>$/, '$1')

const blockSize = 512

/** The contents of an archive's regular files: each has a block with its size, in octal, and its type (POSIX.1-1988). */
function listFiles(archive: Buffer): Buffer[] {
  const files: Buffer[] = []
  for (let at = 0; at + blockSize <= archive.length; ) {
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8) || 0
    const isFile = archive[at + 156] === 0x30
    at += blockSize
    if (isFile) files.push(archive.subarray(at, at + size))
    at += Math.ceil(size / blockSize) * blockSize
  }
  return files
}
