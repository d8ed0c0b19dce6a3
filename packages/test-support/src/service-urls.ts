/** Where the broker is. The user must be an administrator: a vhost is made for each test. */
export function brokerUrl(): string {
  const [first = ''] = requireVariable('RABBITMQ_URL').split(',')
  return first.trim()
}

/** Default: port 15672 of the broker's host, with the broker URL's user. */
export function managementUrl(): string {
  // biome-ignore lint/style/noProcessEnv: the tests' services are told by the environment, and only this file reads it
  const given = process.env.RABBITMQ_MANAGEMENT_URL
  const broker = new URL(brokerUrl())
  const management = new URL(given || `http://${broker.hostname}:15672`)
  if (!management.username) {
    management.username = broker.username
    management.password = broker.password
  }
  return management.href
}

/** Where the database server is. The role must be allowed to create databases: one is made for each test. */
export function databaseServerUrl(): string {
  return requireVariable('DATABASE_URL')
}

/**
 * Where the broker sends live updates to browsers, and the file with the key of their tokens. Undefined: a broker was given
 * by RABBITMQ_URL without REALTIME_URL and REALTIME_KEY_FILE.
 */
export function findRealtime(): { url: string; keyFile: string } | undefined {
  // biome-ignore lint/style/noProcessEnv: see above
  const { REALTIME_URL: url, REALTIME_KEY_FILE: keyFile } = process.env
  return url && keyFile ? { url, keyFile } : undefined
}

function requireVariable(name: 'RABBITMQ_URL' | 'DATABASE_URL'): string {
  // biome-ignore lint/style/noProcessEnv: see above
  const value = process.env[name]
  if (value) return value
  throw new Error(
    `${name} is not set: this test needs real services. Run \`npm test\`, which starts them, ` +
      'or start them for this shell: eval "$(./scripts/setup-services.sh --env)"',
  )
}
