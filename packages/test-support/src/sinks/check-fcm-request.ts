import { createFcmError, FcmRefusal, refuse } from './fcm-error.js'

/** The address that an app gets from FCM. */
export interface FcmDevice {
  /** A registration token, or a Firebase installation id. */
  address: string
  addressKind: 'token' | 'fid'
}

export interface FcmRequest {
  method: string
  path: string
  authorization: string | undefined
  body: Buffer
}

export interface FcmExpectation {
  projectId: string
  isAccessToken(token: string): boolean
  find(device: FcmDevice): FcmDevice | undefined
}

/** `message` of a request. */
export type FcmContent = Record<string, unknown>

/** Google's limit for keys and values. */
const maxPayloadBytes = 4096
const maxTtlSeconds = 28 * 24 * 60 * 60

/**
 * Checks a message as FCM does, as far as that is documented.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages, https://firebase.google.com/docs/cloud-messaging/error-codes
 * @throws FcmRefusal
 */
export function checkFcmRequest(
  { method, path, authorization, body }: FcmRequest,
  { projectId, isAccessToken, find }: FcmExpectation,
): { device: FcmDevice; message: FcmContent; json: Record<string, unknown>; validateOnly: boolean } {
  const [, project] = /^\/v1\/projects\/([^/]+)\/messages:send$/.exec(path) ?? []
  if (method !== 'POST' || project === undefined) throw new FcmRefusal(pageNotFound, 'There is no such page')
  if (!isAccessToken(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '')) {
    refuse(401, { message: 'Request had invalid authentication credentials.' })
  }
  if (project !== projectId) refuse(403, { message: "Permission 'cloudmessaging.messages.create' denied on resource" })
  const json = parseBody(body)
  const { message, validate_only: validateOnly = false } = json
  assertOnly('', json, ['message', 'validate_only'])
  if (!isObject(message)) refuse(400, { message: 'Expected a message', field: 'message' })
  const device = find(readAddress(message))
  if (!device) refuse(404, { errorCode: 'UNREGISTERED', message: 'Requested entity was not found.' })
  checkContent(message)
  return { device, message, json, validateOnly: validateOnly === true }
}

/** The device that a body is for, if it can be told. */
export function findFcmAddress(body: Buffer): FcmDevice | undefined {
  try {
    return readAddress(parseBody(body).message as FcmContent)
  } catch {
    return undefined
  }
}

/** Tells whether a body asks for a check, and for no delivery. */
export function isValidateOnly(body: Buffer): boolean {
  try {
    return parseBody(body).validate_only === true
  } catch {
    return false
  }
}

const pageNotFound = {
  status: 404,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: '<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title>',
}

function parseBody(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (isObject(value)) return value
  } catch {
    // It is refused as JSON that is no object is.
  }
  throw new FcmRefusal(createFcmError(400), 'Invalid JSON payload received.')
}

function readAddress(message: FcmContent): FcmDevice {
  const kinds = ['token', 'fid', 'topic', 'condition'].filter((kind) => message[kind] !== undefined)
  const [kind] = kinds
  if (kinds.length !== 1 || (kind !== 'token' && kind !== 'fid')) {
    refuse(400, { errorCode: 'INVALID_ARGUMENT', message: `Expected one of token and fid, found ${kinds.join(', ')}` })
  }
  const address = message[kind]
  if (typeof address !== 'string' || address === '') {
    const field = `message.${kind}`
    refuse(400, {
      errorCode: 'INVALID_ARGUMENT',
      message: 'The registration token is not a valid FCM registration token',
      field,
    })
  }
  return { addressKind: kind, address }
}

function checkContent(message: FcmContent): void {
  const { notification = {}, data = {}, android = {} } = message
  assertOnly('message', message, ['token', 'fid', 'notification', 'data', 'android', 'apns', 'webpush', 'fcm_options'])
  assertOnly('message.notification', notification, ['title', 'body', 'image'])
  checkData(data)
  const { notification: shown = {} } = checkAndroid(android)
  const texts = [notification, data, shown].flatMap((part) =>
    Object.entries(part as object)
      .flat()
      .map(String),
  )
  const bytes = Buffer.byteLength(texts.join(''))
  if (bytes > maxPayloadBytes) refuse(400, { errorCode: 'INVALID_ARGUMENT', message: 'Android message is too big' })
}

function checkData(data: unknown): void {
  if (!isObject(data)) refuse(400, { message: 'Expected a map of strings', field: 'message.data' })
  for (const [index, [key, value]] of Object.entries(data).entries()) {
    if (/^(from$|message_type$|google|gcm)/.test(key)) {
      refuse(400, { errorCode: 'INVALID_ARGUMENT', message: `Invalid data payload key: ${key}` })
    }
    const field = `message.data[${index}].value`
    if (typeof value !== 'string')
      refuse(400, { message: `Invalid value at '${field}' (TYPE_STRING), ${value}`, field })
  }
}

function checkAndroid(android: unknown): Record<string, unknown> {
  const fields = ['collapse_key', 'priority', 'ttl', 'restricted_package_name', 'data', 'notification', 'fcm_options']
  assertOnly('message.android', android, [...fields, 'direct_boot_ok'])
  const { ttl = '0s', priority = 'NORMAL', notification: shown = {} } = android
  const [, seconds] = /^(\d+(?:\.\d{1,9})?)s$/.exec(String(ttl)) ?? []
  const isTtl = seconds !== undefined && Number(seconds) <= maxTtlSeconds
  if (!isTtl) refuse(400, { message: `Invalid value at 'message.android.ttl'`, field: 'message.android.ttl' })
  const isPriority = /^(normal|high)$/i.test(String(priority))
  if (!isPriority) refuse(400, { message: 'Expected NORMAL or HIGH', field: 'message.android.priority' })
  assertOnly('message.android.notification', shown, [
    ...['title', 'body', 'icon', 'color', 'sound', 'tag', 'click_action', 'channel_id', 'notification_count', 'image'],
    ...['notification_priority', 'visibility', 'sticky', 'ticker'],
  ])
  return android
}

function assertOnly(at: string, value: unknown, names: readonly string[]): asserts value is Record<string, unknown> {
  if (!isObject(value)) refuse(400, { message: `Expected an object at '${at}'`, field: at })
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown === undefined) return
  const message = `Invalid JSON payload received. Unknown name "${unknown}" at '${at}': Cannot find field.`
  refuse(400, { message, field: at })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
