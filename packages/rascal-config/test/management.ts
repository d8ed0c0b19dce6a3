import type { TestVhost } from '@mono/test-support'
import { createTopology, renderDefinitions, vhostName } from '../src/index.js'

/** The topology, in a vhost of the test's own. */
export async function importDefinitions(vhost: TestVhost): Promise<void> {
  const text = renderDefinitions(createTopology()).replaceAll(`"vhost": "${vhostName}"`, `"vhost": "${vhost.name}"`)
  const definitions = { ...JSON.parse(text), vhosts: [{ name: vhost.name }] }
  await callManagement(vhost, 'POST', 'definitions', definitions)
}

/** The answer of RabbitMQ's management API, asked as the tests' administrator. */
export async function callManagement(vhost: TestVhost, method: string, path: string, body?: object): Promise<unknown> {
  const broker = new URL(vhost.url)
  // biome-ignore lint/style/noProcessEnv: the tests' services are told by the environment
  const url = new URL(`/api/${path}`, process.env.RABBITMQ_MANAGEMENT_URL ?? `http://${broker.hostname}:15672`)
  const user = `${decodeURIComponent(broker.username)}:${decodeURIComponent(broker.password)}`
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`Expected ${method} ${url.pathname} to succeed, found ${answer.status}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
