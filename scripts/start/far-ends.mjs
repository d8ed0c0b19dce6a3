// @ts-check
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * What the workers speak to beside broker and database, on this machine: push services for browsers, Android and Apple's
 * devices, which verify what they get, a mail catcher and Mailgun, with a web page for both.
 * @typedef {object} FarEnds
 * @property {import('@mono/test-support/sinks').PushService} pushService
 * @property {import('@mono/test-support/sinks').FcmService} fcmService
 * @property {import('@mono/test-support/sinks').ApnsService} apnsService
 * @property {import('@mono/test-support/sinks').SmtpSink} mailCatcher
 * @property {import('@mono/test-support/sinks').MailgunService} mailgunService
 * @property {string} mailPage address of the page that lists the mails
 * @property {import('@mono/test-support').FarEndAddresses} addresses
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<FarEnds>} */
export async function openFarEnds() {
  // Only here, since they are not there before the dependencies are installed and the packages built.
  const sinks = await import('@mono/test-support/sinks')
  const { default: webPush } = await import('web-push')
  const vapid = webPush.generateVAPIDKeys()
  const pushService = await sinks.createPushService({ vapidPublicKey: vapid.publicKey })
  const fcmService = await sinks.createFcmService()
  const apnsKey = sinks.createApnsKey()
  const apnsService = await sinks.createApnsService({ keys: [apnsKey], topic: 'com.example.mono' })
  const mailCatcher = await sinks.createSmtpSink()
  const mailgunService = await sinks.createMailgunService()
  const directory = await mkdtemp(join(tmpdir(), 'mono-'))
  const certificateFile = join(directory, 'far-ends.pem')
  const farEnds = [pushService, fcmService, apnsService, mailgunService]
  await writeFile(certificateFile, farEnds.map(({ ca }) => ca).join('\n'))
  const phones = {
    FCM_SERVICE_ACCOUNT: JSON.stringify(fcmService.tokenEndpoint.serviceAccount),
    FCM_ORIGIN: fcmService.origin,
    APNS_KEY: apnsKey.privateKey,
    APNS_KEY_ID: apnsKey.keyId,
    APNS_TEAM_ID: apnsKey.teamId,
    APNS_TOPIC: 'com.example.mono',
    APNS_ORIGIN: `https://localhost:${apnsService.port}`,
  }
  const mailgun = {
    MAILGUN_API_KEY: mailgunService.apiKey,
    MAILGUN_DOMAIN: mailgunService.domain,
    MAILGUN_ORIGIN: mailgunService.origin,
  }
  const page = await openMailPage([
    { name: 'the mail catcher', ...mailCatcher },
    { name: 'Mailgun', ...mailgunService },
  ])
  return {
    pushService,
    fcmService,
    apnsService,
    mailCatcher,
    mailgunService,
    mailPage: page.url,
    addresses: { pushPort: pushService.port, certificateFile, phones, vapid, smtpUrl: mailCatcher.url, mailgun },
    async close() {
      await Promise.all([...farEnds, mailCatcher, page].map((farEnd) => farEnd.close()))
      await rm(directory, { recursive: true })
    },
  }
}

/** @param {{ name: string, received: readonly import('@mono/test-support/sinks').ReceivedMail[] }[]} takers */
async function openMailPage(takers) {
  const server = createServer((_request, response) => {
    const mails = takers
      .flatMap(({ name, received }) => received.map((mail) => ({ name, ...mail })))
      .sort((a, b) => a.at - b.at)
      .map(
        ({ name, to, subject, text }) =>
          `<h2>${toHtml(subject)}</h2><p>to ${toHtml(to.join(', '))}, by ${name}</p><pre>${toHtml(text)}</pre>`,
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
