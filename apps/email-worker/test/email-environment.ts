import type { TestFixtures } from '@mono/test-support'

/** The least that the worker needs to run, with the test's mail server. */
export function emailEnvironment({
  vhost,
  database,
  smtpSink,
}: Pick<TestFixtures, 'vhost' | 'database' | 'smtpSink'>): Record<string, string> {
  return {
    RABBITMQ_URL: vhost.url,
    DATABASE_URL: database.url,
    SMTP_URL: smtpSink.url,
    EMAIL_FROM: 'Mono <mono@example.com>',
  }
}
