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

/** Where browsers reach the broker, by MQTT over WebSocket. */
export function realtimeUrl(): string | undefined {
  // biome-ignore lint/style/noProcessEnv: see above
  return process.env.REALTIME_URL || undefined
}

/** The private key that signs what browsers log in with. */
export function realtimeKeyFile(): string | undefined {
  // biome-ignore lint/style/noProcessEnv: see above
  return process.env.REALTIME_KEY_FILE || undefined
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
