import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestFixtures } from '@mono/test-support'
import type { MailgunService } from '@mono/test-support/sinks'

/** The settings by which the worker sends by this Mailgun, and trusts it; broker, database and sender come beside them. */
export function mailgunEnvironment(
  { apiKey, domain, origin, ca }: MailgunService,
  cleanUp: TestFixtures['cleanUp'],
): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'mailgun-'))
  cleanUp(() => rmSync(directory, { recursive: true }))
  const authorities = join(directory, 'authorities.pem')
  writeFileSync(authorities, ca)
  return {
    NODE_EXTRA_CA_CERTS: authorities,
    MAILGUN_API_KEY: apiKey,
    MAILGUN_DOMAIN: domain,
    MAILGUN_ORIGIN: origin,
  }
}
