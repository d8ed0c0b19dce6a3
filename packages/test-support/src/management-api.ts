import { managementUrl } from './service-urls.js'

export interface BrokerConnection {
  /** The broker's own name of it: the two addresses. */
  name: string
  /** `connection_name` of the client properties. */
  givenName: string | undefined
}

export interface ManagementApi {
  createVhost(vhost: string, user: string): Promise<void>
  deleteVhost(vhost: string): Promise<void>
  /** Makes a user, or gives it another password. */
  putUser(user: string, password: string): Promise<void>
  /** Closes its connections too. */
  deleteUser(user: string): Promise<void>
  /** Regular expressions over the names of exchanges and queues. Undefined: the user may not enter the vhost. */
  setPermissions(vhost: string, user: string, permissions: Permissions | undefined): Promise<void>
  /** A regular expression over the routing keys with which the user may publish to this topic exchange. */
  setTopicPermission(vhost: string, user: string, permission: { exchange: string; write: string }): Promise<void>
  /** Above it new connections are refused; those that are open stay. -1: no limit. Takes effect at once. */
  limitConnections(vhost: string, limit: number): Promise<void>
  /** Of a policy's number and the one in a queue's own arguments, the broker keeps to the lower. */
  setPolicy(vhost: string, policy: { name: string; pattern: string; definition: object }): Promise<void>
  /** From statistics that the broker gathers every 5 s: a new connection is listed that much later. */
  listConnections(vhost: string): Promise<BrokerConnection[]>
  /** Closes the connection from the broker's side, as an operator would. One that is already gone is no error. */
  closeConnection(name: string, reason: string): Promise<void>
  /** Declares exchanges, queues and bindings in this vhost, whatever vhost the definitions name. */
  importDefinitions(vhost: string, definitions: object): Promise<void>
  /** @throws Error if no queue takes the message */
  publish(
    vhost: string,
    message: { exchange: string; routingKey: string; body: string; headers: object },
  ): Promise<void>
}

export interface Permissions {
  configure: string
  write: string
  read: string
}

/** The few calls of RabbitMQ's management API that a vhost per test needs. */
export function createManagementApi(url: string = managementUrl()): ManagementApi {
  const request = createRequest(new URL(url))
  return {
    async createVhost(vhost, user) {
      const name = encodeURIComponent(vhost)
      await request('PUT', `/api/vhosts/${name}`, { body: {} })
      await request('PUT', `/api/permissions/${name}/${encodeURIComponent(user)}`, {
        body: { configure: '.*', write: '.*', read: '.*' },
      })
    },
    async deleteVhost(vhost) {
      await request('DELETE', `/api/vhosts/${encodeURIComponent(vhost)}`)
    },
    async putUser(user, password) {
      await request('PUT', `/api/users/${encodeURIComponent(user)}`, { body: { password, tags: '' } })
    },
    async deleteUser(user) {
      await request('DELETE', `/api/users/${encodeURIComponent(user)}`)
    },
    async setPermissions(vhost, user, permissions) {
      const path = `/api/permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`
      if (permissions) await request('PUT', path, { body: permissions })
      else await request('DELETE', path)
    },
    async setTopicPermission(vhost, user, { exchange, write }) {
      const path = `/api/topic-permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`
      await request('PUT', path, { body: { exchange, write, read: '.*' } })
    },
    async limitConnections(vhost, limit) {
      await request('PUT', `/api/vhost-limits/${encodeURIComponent(vhost)}/max-connections`, { body: { value: limit } })
    },
    async setPolicy(vhost, { name, ...policy }) {
      const path = `/api/policies/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`
      await request('PUT', path, { body: { ...policy, 'apply-to': 'queues' } })
    },
    async listConnections(vhost) {
      const answer = await request('GET', `/api/vhosts/${encodeURIComponent(vhost)}/connections`)
      return ((await answer.json()) as ListedConnection[]).map(toBrokerConnection)
    },
    async closeConnection(name, reason) {
      await request('DELETE', `/api/connections/${encodeURIComponent(name)}`, {
        headers: { 'x-reason': reason },
        missingIsFine: true,
      })
    },
    async importDefinitions(vhost, definitions) {
      await request('POST', `/api/definitions/${encodeURIComponent(vhost)}`, { body: definitions })
    },
    async publish(vhost, { exchange, routingKey, body, headers }) {
      const path = `/api/exchanges/${encodeURIComponent(vhost)}/${encodeURIComponent(exchange)}/publish`
      const answer = await request('POST', path, {
        body: { routing_key: routingKey, payload: body, payload_encoding: 'string', properties: { headers } },
      })
      const { routed } = (await answer.json()) as { routed: boolean }
      if (!routed) throw new Error(`Nothing took the message for ${exchange} with routing key ${routingKey}.`)
    },
  }
}

interface ListedConnection {
  name: string
  client_properties?: { connection_name?: string }
}

function toBrokerConnection({ name, client_properties }: ListedConnection): BrokerConnection {
  return { name, givenName: client_properties?.connection_name }
}

interface RequestOptions {
  body?: object
  headers?: Record<string, string>
  missingIsFine?: boolean
}

function createRequest(url: URL) {
  const user = decodeURIComponent(url.username)
  const credentials = Buffer.from(`${user}:${decodeURIComponent(url.password)}`).toString('base64')
  const prefix = url.pathname.replace(/\/$/, '')

  return async (method: string, path: string, options: RequestOptions = {}): Promise<Response> => {
    const where = `${method} ${url.origin}${prefix}${path}`
    const answer = await fetch(`${url.origin}${prefix}${path}`, {
      method,
      headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json', ...options.headers },
      body: options.body ? JSON.stringify(options.body) : null,
      signal: AbortSignal.timeout(15_000),
    }).catch((error: unknown) => {
      throw new Error(`${where}: no answer. Is the management plugin on, and RABBITMQ_MANAGEMENT_URL right?`, {
        cause: error,
      })
    })
    if (answer.ok || (answer.status === 404 && options.missingIsFine)) return answer
    throw new Error(
      `${where} as ${user}: expected success, got ${answer.status} ${answer.statusText}: ${await answer.text()}. ` +
        'The user of RABBITMQ_URL must be an administrator.',
    )
  }
}
