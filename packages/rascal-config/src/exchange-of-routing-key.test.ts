import type { RoutingKey } from '@mono/contracts'
import { expect, it } from 'vitest'
import { exchangeOfRoutingKey } from './exchange-of-routing-key.js'

const exchanges: Record<RoutingKey, string> = {
  'chat.direct': 'messages',
  'chat.group': 'messages',
  'push.mobile': 'notifications',
  'push.web': 'notifications',
  'push.all': 'notifications',
  'email.template': 'notifications',
  'email.send': 'notifications',
  'audit.track': 'audit',
  'audit.compliance': 'audit',
}

it.each(Object.entries(exchanges))('publishes %s on the exchange %s', (routingKey, exchange) => {
  expect(exchangeOfRoutingKey(routingKey as RoutingKey)).toBe(exchange)
})

it('refuses a routing key that no work queue takes', () => {
  expect(() => exchangeOfRoutingKey('chat.unknown' as RoutingKey)).toThrow(
    "No work queue takes the routing key 'chat.unknown'",
  )
})
