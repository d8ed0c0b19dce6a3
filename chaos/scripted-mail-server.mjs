// @ts-check
import { createSmtpSink } from '@mono/test-support/sinks'

/**
 * As much of a mail server as the scenarios of a day use: one of Debian's, or one that plays it.
 * @typedef {Pick<import('@mono/test-support/mail-servers').MailServer, 'url' | 'configure' | 'stop' | 'countMails' | 'close'>
 *   & { readMails: () => Promise<{ subject: string | undefined, at: number }[]> }} DayServer
 */

/**
 * Plays a mail server where none of Debian's can be run. It does not greet late.
 * @returns {Promise<DayServer>} one that is not yet there
 */
export async function openScriptedMailServer() {
  let sink = await createSmtpSink()
  const { port } = sink
  await sink.close()
  /** @type {{ subject: string | undefined, at: number }[]} */
  const earlier = []
  let isOpen = false
  const stop = async () => {
    if (!isOpen) return
    isOpen = false
    await sink.close()
    earlier.push(...sink.received)
  }
  return {
    url: `smtp://localhost:${port}`,
    async configure({ certificate, connectionsPerClient, rate, refuseAll, finalDelaySeconds }) {
      await stop()
      const limitMails = refuseAll ? () => refuseAll : rate && createRateLimit(rate)
      sink = await createSmtpSink({
        port,
        starttls: certificate !== undefined,
        certificate,
        maxClients: connectionsPerClient,
        limitMails,
      })
      if (finalDelaySeconds) sink.answer('all', `delay ${finalDelaySeconds * 1000}`)
      isOpen = true
    },
    stop,
    countMails: async () => earlier.length + (isOpen ? sink.received.length : 0),
    readMails: async () => [...earlier, ...(isOpen ? sink.received : [])],
    close: stop,
  }
}

/** @param {{ mails: number, seconds: number }} rate of all clients */
function createRateLimit({ mails, seconds }) {
  let endsAt = 0
  let taken = 0
  return () => {
    if (performance.now() > endsAt) {
      endsAt = performance.now() + seconds * 1000
      taken = 0
    }
    taken += 1
    return taken > mails ? '450 4.7.1 Error: too much mail from 127.0.0.1' : undefined
  }
}
