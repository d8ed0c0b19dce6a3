import { readFileSync } from 'node:fs'
import { realtimeKeyFile, realtimeUrl } from './service-urls.js'

export interface Realtime {
  /** MQTT over WebSocket. */
  url: string
  /** The private key in PEM with which tokens are made. */
  key: string
}

/** How browsers reach the broker. Undefined: RABBITMQ_URL was given without REALTIME_URL and REALTIME_KEY_FILE. */
export function findRealtime(): Realtime | undefined {
  const url = realtimeUrl()
  const keyFile = realtimeKeyFile()
  return url && keyFile ? { url, key: readFileSync(keyFile, 'utf8') } : undefined
}
