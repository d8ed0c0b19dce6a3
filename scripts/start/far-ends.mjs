// @ts-check
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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

/**
 * @param {{ vapid?: { publicKey: string, privateKey: string } }} [options] default: keys of their own
 * @returns {Promise<FarEnds>}
 */
export async function openFarEnds({ vapid: given } = {}) {
  // Only here, since they are not there before the dependencies are installed and the packages built.
  const sinks = await import('@mono/test-support/sinks')
  const { default: webPush } = await import('web-push')
  const vapid = given ?? webPush.generateVAPIDKeys()
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
  const page = await sinks.createMailPage([
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
