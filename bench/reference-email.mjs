// @ts-check
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import nodemailer from 'nodemailer'
import { addressOf, createMail } from './mail.mjs'

// Plain nodemailer: hands as many mails to its pool as there are connections, the next as soon as one is taken.

const [port = '', from = '', count = '', maxConnections = ''] = process.argv.slice(2)
const transport = nodemailer.createTransport({
  pool: true,
  host: '127.0.0.1',
  port: Number(port),
  maxConnections: Number(maxConnections),
  maxMessages: Number.POSITIVE_INFINITY,
})
const { subject, text, html } = createMail([])
const headers = { 'Auto-Submitted': 'auto-generated' }
let next = 0

async function sendInTurn() {
  while (next < Number(count)) {
    const to = addressOf(next++)
    const messageId = `<${randomBytes(32).toString('hex')}@example.com>`
    await transport.sendMail({ from, to, subject, text, html, messageId, headers, textEncoding: 'quoted-printable' })
  }
}
await Promise.all(Array.from({ length: Number(maxConnections) }, sendInTurn))
transport.close()
