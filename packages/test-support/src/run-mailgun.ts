import { parseArgs } from 'node:util'
import { keepCertificate } from './sinks/keep-certificate.js'
import { createMailPage } from './sinks/mail-page.js'
import { createMailgunService } from './sinks/mailgun-service.js'

// Mailgun for a fleet under Docker Compose: HTTPS on 8443, and on 8080 a page with the mails that it took.

const keep = { mails: 500, bytes: 32 * 1024 * 1024 }

const { values } = parseArgs({
  options: {
    /** The name by which clients call it. */
    host: { type: 'string', default: 'mailgun' },
    domain: { type: 'string', default: 'mg.example.com' },
    key: { type: 'string', default: 'key-of-development' },
    /** The directory in which its certificate is, or gets made. */
    certificate: { type: 'string', default: '.' },
    port: { type: 'string', default: '8443' },
    'page-port': { type: 'string', default: '8080' },
  },
})

const address = '0.0.0.0'
const mailgun = await createMailgunService({
  address,
  port: Number(values.port),
  certificate: await keepCertificate(values.certificate, [values.host, 'localhost']),
  apiKey: values.key,
  domains: [{ name: values.domain }],
  keep,
})
const page = await createMailPage([{ name: 'Mailgun', ...mailgun }], { address, port: Number(values['page-port']) })
// First, because who has read the line may stop it.
process.once('SIGTERM', () => process.exit())
process.stdout.write(
  `Mailgun takes mails of ${mailgun.domain} on port ${mailgun.port}, its page is on port ${page.port}\n`,
)
