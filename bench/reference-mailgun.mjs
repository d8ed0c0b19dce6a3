// @ts-check
import { createHash, randomBytes } from 'node:crypto'
import process from 'node:process'
import Mailgun from 'mailgun.js'
import MailComposer from 'nodemailer/lib/mail-composer'
import { addressOf, createMail } from './mail.mjs'

// Plain mailgun.js: sends so many mails at a time, the next as soon as one is answered, over kept connections.

const [port = '', from = '', count = '', inFlight = ''] = process.argv.slice(2)
const client = new Mailgun(FormData).client({ username: 'api', key: 'bench', url: `https://localhost:${port}` })
const { subject, text, html } = createMail([])
const headers = { 'Auto-Submitted': 'auto-generated' }
let next = 0

async function sendInTurn() {
  while (next < Number(count)) {
    const to = addressOf(next++)
    const messageId = `<${randomBytes(32).toString('hex')}@example.com>`
    const mail = {
      from,
      to,
      subject,
      text,
      html,
      messageId,
      headers,
      textEncoding: /** @type {const} */ ('quoted-printable'),
    }
    await client.messages.create('example.com', {
      to,
      message: await new MailComposer({ ...mail, newline: 'windows' }).compile().build(),
      'o:tracking': 'no',
      'v:mono-tenant': '42',
      'v:mono-message': messageId,
      'v:mono-recipient': createHash('sha256').update(to).digest('hex'),
    })
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, sendInTurn))
process.exit()
