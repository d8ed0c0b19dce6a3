// Loaded into the worker before it starts: a name server under a stranger's control.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

const { lookup } = dns

dns.lookup = (hostname, options, callback) => {
  if (hostname !== 'inside.push.apple.com') return lookup(hostname, options, callback)
  const inside = { address: '127.0.0.1', family: 4 }
  process.nextTick(() => (options.all ? callback(null, [inside]) : callback(null, inside.address, inside.family)))
}
syncBuiltinESMExports()
