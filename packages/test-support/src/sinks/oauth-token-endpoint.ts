import { randomBytes } from 'node:crypto'
import { createIssuedTokens, type IssuedTokens, toTokenReply } from './issued-tokens.js'
import type { PushReply } from './push-answer.js'
import type { PushExchange } from './push-exchange.js'
import { createPushListener } from './push-listener.js'
import { createScriptedTokenEndpoint, type ScriptedTokenEndpoint } from './scripted-token-endpoint.js'
import { certificateFor } from './self-signed-certificate.js'

export interface OAuthTokenEndpointOptions {
  /** The id of the app. Default `mono`. */
  clientId?: string
  /** The one that client credentials have to ask for. Default `https://mail.example.com/.default`. */
  scope?: string
  /** The grants that the app may use. Default both. */
  grants?: readonly ('client_credentials' | 'refresh_token')[]
  /** Gives out a new refresh token each time and takes the last one back. Default false. */
  rotates?: boolean
  /** Default: one that is free. */
  port?: number
}

export interface OAuthTokenEndpoint extends Omit<ScriptedTokenEndpoint, 'serve'>, Omit<IssuedTokens, 'issue'> {
  /** `https://localhost:<port>/token` */
  url: string
  /** PEM: the certificate to trust. */
  ca: string
  clientId: string
  scope: string
  /** TCP connections that are open. */
  connections: number
  /** The secret of the app: at first one that it has made itself. */
  clientSecret: string
  /** The refresh token that is accepted. */
  readonly refreshToken: string
  /** Closes every connection and refuses new ones. Everything else stays. */
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

const maxBodyBytes = 64 * 1024
const path = '/token'
const formType = 'application/x-www-form-urlencoded'

/** The codes of RFC 6749, section 5.2. */
class Refusal extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/**
 * A token endpoint of OAuth 2 for one app, which has its secret in the form, as Microsoft's and Google's take it, and
 * can be told to misbehave.
 */
export async function createOAuthTokenEndpoint(options: OAuthTokenEndpointOptions = {}): Promise<OAuthTokenEndpoint> {
  const { clientId = 'mono', scope = 'https://mail.example.com/.default', rotates = false, port = 0 } = options
  const certificate = certificateFor(['localhost', '127.0.0.1'])
  const { issue, ...issued } = createIssuedTokens()
  const app: App = {
    clientId,
    scope,
    grants: options.grants ?? ['client_credentials', 'refresh_token'],
    clientSecret: createSecret(),
    refreshToken: createSecret(),
  }
  const { serve, ...endpoint } = createScriptedTokenEndpoint((body, exchange) => {
    try {
      const grant = checkRequest(body, exchange, app)
      if (grant === 'client_credentials' || !rotates) return { answer: issue(), reason: undefined }
      app.refreshToken = createSecret()
      return { answer: issue({ refresh_token: app.refreshToken }), reason: undefined }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return toRefused(error)
    }
  })
  const listener = createPushListener({
    address: '127.0.0.1',
    certificate,
    protocols: ['h2', 'http/1.1'],
    serve: async (exchange, signal) => serve(exchange, await exchange.read(maxBodyBytes), signal),
  })
  const boundPort = await listener.listen(port)
  return {
    ...issued,
    ...endpoint,
    url: `https://localhost:${boundPort}${path}`,
    ca: certificate.cert,
    clientId,
    scope,
    get connections() {
      return listener.connections
    },
    get clientSecret() {
      return app.clientSecret
    },
    set clientSecret(secret) {
      app.clientSecret = secret
    },
    get refreshToken() {
      return app.refreshToken
    },
    stop: () => listener.close(),
    async start() {
      await listener.listen(boundPort)
    },
    close: () => listener.close(),
  }
}

interface App {
  clientId: string
  scope: string
  grants: readonly string[]
  clientSecret: string
  refreshToken: string
}

function createSecret(): string {
  return randomBytes(24).toString('base64url')
}

function toRefused({ status, code, message }: Refusal): { answer: PushReply; reason: string } {
  return { answer: toTokenReply(status, { error: code, error_description: message }), reason: `${code}: ${message}` }
}

/** Returns the grant. */
function checkRequest(body: string, { method, path: asked, headers }: PushExchange, app: App): string {
  if (method !== 'POST' || asked !== path) throw new Refusal('invalid_request', 'There is nothing here', 404)
  if (headers['content-type'] !== formType) throw new Refusal('invalid_request', `Expected ${formType}`)
  const form = new URLSearchParams(body)
  const names = [...form.keys()]
  if (new Set(names).size < names.length) throw new Refusal('invalid_request', 'A parameter is there twice')
  const { grant_type: grant = '', client_id, client_secret, scope, refresh_token, ...others } = Object.fromEntries(form)
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Refusal('invalid_request', `There is no parameter ${unknown}`)
  if (client_id !== app.clientId || client_secret !== app.clientSecret) {
    throw new Refusal('invalid_client', 'Invalid client secret provided.', 401)
  }
  if (!['client_credentials', 'refresh_token'].includes(grant)) {
    throw new Refusal('unsupported_grant_type', `There is no grant ${grant}`)
  }
  if (!app.grants.includes(grant)) throw new Refusal('unauthorized_client', `The app may not use ${grant}`)
  const isScopeNeeded = grant === 'client_credentials'
  if (scope === undefined ? isScopeNeeded : scope !== app.scope) {
    throw new Refusal('invalid_scope', 'The scope is not valid.')
  }
  if (grant === 'refresh_token' && refresh_token !== app.refreshToken) {
    throw new Refusal('invalid_grant', 'Token has been expired or revoked.')
  }
  if (grant === 'client_credentials' && refresh_token !== undefined) {
    throw new Refusal('invalid_request', 'Client credentials have no refresh token')
  }
  return grant
}
