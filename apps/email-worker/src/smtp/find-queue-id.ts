const id = '([\\w.-]{4,128})(?![\\w.-])'

/** How servers say under which id they have taken a mail; each finds it in the logs of its own. */
const forms: readonly RegExp[] = [
  // Postfix, Haraka and many others.
  new RegExp(`\\bqueued as ${id}`, 'i'),
  // Exim.
  new RegExp(`\\bid=${id}`, 'i'),
  // Sendmail, OpenSMTPD.
  new RegExp(`^250 2\\.0\\.0:? ${id} Message accepted`, 'i'),
  // Google: a time, and the session.
  new RegExp(`^250 2\\.0\\.0 OK +\\d+ ${id} - gsmtp`, 'i'),
  // Microsoft Exchange.
  new RegExp(`\\bInternalId=${id}`, 'i'),
]

/** @param response the answer to a mail, such as `250 2.0.0 Ok: queued as 74293630BCF` */
export function findQueueId(response: string | undefined): string | undefined {
  for (const form of forms) {
    const [, queueId] = form.exec(response ?? '') ?? []
    if (queueId !== undefined) return queueId
  }
  return undefined
}
