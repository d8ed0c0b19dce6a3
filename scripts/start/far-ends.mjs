// @ts-check
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * What the workers speak to beside broker and database, on this machine: a push service that verifies and decrypts, and
 * a mail catcher with a web page.
 * @typedef {object} FarEnds
 * @property {import('@mono/test-support/sinks').PushService} pushService
 * @property {import('@mono/test-support/sinks').SmtpSink} mailCatcher
 * @property {string} mailPage address of the page that lists the mails
 * @property {import('@mono/test-support').FarEndAddresses} addresses
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<FarEnds>} */
export async function openFarEnds() {
  // Only here, since they are not there before the dependencies are installed and the packages built.
  const { createPushService, createSmtpSink } = await import('@mono/test-support/sinks')
  const { default: webPush } = await import('web-push')
  const vapid = webPush.generateVAPIDKeys()
  const pushService = await createPushService({ vapidPublicKey: vapid.publicKey })
  const mailCatcher = await createSmtpSink()
  const directory = await mkdtemp(join(tmpdir(), 'mono-'))
  const certificateFile = join(directory, 'push-service.pem')
  await writeFile(certificateFile, pushService.ca)
  const page = await openMailPage(mailCatcher)
  return {
    pushService,
    mailCatcher,
    mailPage: page.url,
    addresses: { pushPort: pushService.port, certificateFile, vapid, smtpUrl: mailCatcher.url },
    async close() {
      await Promise.all([pushService.close(), mailCatcher.close(), page.close(), rm(directory, { recursive: true })])
    },
  }
}

/** @param {{ received: readonly import('@mono/test-support/sinks').ReceivedMail[] }} mailCatcher */
async function openMailPage(mailCatcher) {
  const server = createServer((_request, response) => {
    const mails = mailCatcher.received.map(
      ({ to, subject, text }) =>
        `<h2>${toHtml(subject)}</h2><p>to ${toHtml(to.join(', '))}</p><pre>${toHtml(text)}</pre>`,
    )
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html><title>Mails</title><h1>${mails.length} mails</h1>${mails.reverse().join('<hr>')}`)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}

/** @param {string | undefined} text */
const toHtml = (text = '') => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
