import type { TestVhost } from '@mono/test-support'

/** A queue as RabbitMQ's management API tells of it. */
export interface ListedQueue {
  name: string
  policy?: string
  effective_policy_definition?: object
}

/** Asked as the tests' administrator. */
export async function listQueues(vhost: TestVhost): Promise<ListedQueue[]> {
  const { username, password } = new URL(vhost.url)
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`
  const answer = await fetch(toUrl(`queues/${vhost.name}`), { headers: { authorization } })
  if (!answer.ok) throw new Error(`Expected the queues of ${vhost.name}, found ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as ListedQueue[]
}

/** The status of the answer. */
export async function managementAnswer(path: string, authorization: string): Promise<number> {
  const answer = await fetch(toUrl(path), { headers: { authorization } })
  await answer.arrayBuffer()
  return answer.status
}

function toUrl(path: string): URL {
  // biome-ignore lint/style/noProcessEnv: the tests' services are told by the environment
  return new URL(`/api/${path}`, process.env.RABBITMQ_MANAGEMENT_URL)
}
