import { readFileSync } from 'node:fs'

/** Where the broker takes browsers, and the private key of the public one that it has. */
export function readRealtimeServices(): { url: string; key: string; brokerUrl: string } {
  return {
    url: requireVariable('REALTIME_URL'),
    key: readFileSync(requireVariable('REALTIME_KEY_FILE'), 'utf8'),
    brokerUrl: requireVariable('RABBITMQ_URL'),
  }
}

function requireVariable(name: string): string {
  // biome-ignore lint/style/noProcessEnv: the tests' services are told by the environment
  const value = process.env[name]
  if (value) return value
  throw new Error(`${name} is not set: start the services by \`eval "$(./scripts/setup-services.sh --env)"\``)
}
