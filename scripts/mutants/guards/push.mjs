// @ts-check

const source = 'apps/push-worker/src'
const guard = `${source}/web-push/endpoint-guard.ts`
const guardTests = `${source}/web-push/endpoint-guard.test.ts`
const sender = `${source}/web-push/web-push-sender.ts`
const senderTests = `${source}/web-push/web-push-sender.test.ts`
const clientTests = `${source}/http/http-origin-client.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const push = [
  {
    name: 'endpoint-known-host',
    guards: 'pushes go to push services only',
    file: guard,
    find: "if (!isKnownHost(hostname)) return 'host'",
    replace: 'void isKnownHost',
    tests: { file: guardTests, name: 'check' },
  },
  {
    name: 'endpoint-https',
    guards: 'pushes go over HTTPS only',
    file: guard,
    find: "if (protocol !== 'https:') return 'not https'",
    replace: 'void protocol',
    tests: { file: guardTests, name: 'check' },
  },
  {
    name: 'endpoint-checked',
    guards: 'an endpoint is checked before it is asked',
    file: sender,
    find: "if (typeof url === 'string') {",
    replace: "if (typeof url === 'string' && !URL.canParse(device.address)) {",
    tests: { file: senderTests },
  },
  {
    name: 'endpoint-private-address',
    guards: 'a name that leads into our own network is not followed',
    file: guard,
    find: 'addresses.every(isPublicAddress)',
    replace: 'addresses.some(isPublicAddress)',
    tests: { file: guardTests, name: 'lookup' },
  },
  {
    name: 'endpoint-literal-address',
    guards: 'an address of our own network is refused in an endpoint',
    file: guard,
    find: "if (isIP(address) && !isPublicAddress(address)) return 'address'",
    replace: 'void isIP(address)',
    tests: { file: guardTests, name: 'check' },
  },
  {
    name: 'endpoint-mapped-address',
    guards: 'of IPv6 only global unicast is the public internet',
    file: `${source}/web-push/is-public-address.ts`,
    find: "return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6')",
    replace: "return !special6.check(address, 'ipv6')",
    tests: { file: `${source}/web-push/is-public-address.test.ts` },
  },
  {
    name: 'redirect-not-followed',
    guards: 'a redirect leads nowhere',
    file: `${source}/http/http-origin-client.ts`,
    find: 'return await carrier.send(request)',
    replace: `const answer = await carrier.send(request)
          const location = answer.headers.location
          if (location === undefined || isRepeated) return answer
          return await this.request({ ...request, url: new URL(location, request.url) })`,
    tests: { file: clientTests, name: 'a redirect is an answer' },
  },
  {
    name: 'redirect-no-success',
    guards: 'a redirect is no success',
    file: `${source}/web-push/classify-push-answer.ts`,
    find: 'if (status >= 200 && status < 300)',
    replace: 'if (status >= 200 && status < 400)',
    tests: { file: `${source}/web-push/classify-push-answer.test.ts` },
  },
  {
    name: 'gone-disables',
    guards: 'a device that is gone is disabled',
    file: sender,
    find: 'if (verdict.disable) await disable(device, verdict.disable, logger)',
    replace: 'void disable',
    tests: { file: senderTests, name: 'a device that is gone' },
  },
  {
    name: 'gone-410',
    guards: '410 says that a device is gone',
    file: `${source}/web-push/classify-push-answer.ts`,
    find: 'if (status === 404 || status === 410) {',
    replace: 'if (status === 404) {',
    tests: { file: `${source}/web-push/classify-push-answer.test.ts`, name: 'the device is gone' },
  },
  {
    name: 'answer-size',
    guards: 'an answer without end is cut off',
    file: `${source}/http/answer-body.ts`,
    find: 'return room >= 0',
    replace: 'return true',
    tests: { file: clientTests, name: 'of a body without end' },
  },
  {
    name: 'answer-memory',
    guards: 'of an answer no more is kept than the limit',
    file: `${source}/http/answer-body.ts`,
    find: 'if (room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk)',
    replace: 'chunks.push(chunk)',
    tests: { file: `${source}/http/answer-body.test.ts` },
  },
  {
    name: 'push-deadline',
    guards: 'a request ends by its deadline, whatever the server does',
    file: sender,
    find: 'withDeadline({ ms: timeoutMs, signal }',
    replace: 'withDeadline({ ms: timeoutMs * 1e4, signal }',
    tests: { file: senderTests, name: 'is up after ten seconds' },
  },
  {
    name: 'push-not-twice',
    guards: 'what a server may have processed is not sent again',
    file: `${source}/http/http-origin-client.ts`,
    find: 'if (isRepeated || !isUnprocessed(error)) throw error',
    replace: 'if (isRepeated || isUnprocessed(error)) throw error',
    tests: { file: clientTests, name: 'is a failure, and not tried again' },
  },
  {
    name: 'push-certificate',
    guards: 'a server’s certificate must be trusted',
    file: `${source}/http/open-tls-socket.ts`,
    find: 'ALPNProtocols: protocols,',
    replace: 'ALPNProtocols: protocols,\n      rejectUnauthorized: false,',
    tests: { file: clientTests, name: 'needs a certificate that is trusted' },
  },
  {
    name: 'push-origin-gate',
    guards: 'a push service that fails is left alone',
    file: `${source}/gated-origin.ts`,
    find: 'const failuresToClose = 5',
    replace: 'const failuresToClose = 5e9',
    tests: { file: `${source}/origin-gate.test.ts`, name: 'by five failures in a row' },
  },
  {
    name: 'push-tenant',
    guards: 'a notification reaches devices of its own tenant only',
    file: `${source}/device-store.ts`,
    find: 'WHERE tenant_id = $1 AND user_id',
    replace: 'WHERE $1::bigint > 0 AND user_id',
    tests: { file: 'apps/push-worker/test/device-store.test.ts', name: 'this tenant only' },
  },
  {
    name: 'development-push-keys',
    guards: 'the push keys of development are refused in production',
    file: 'apps/push-worker/src/vapid-env.ts',
    find: "if (nodeEnv === 'production' && vapidPrivateKey === developmentPrivateKey) {",
    replace: "if (vapidPrivateKey === '') {",
    tests: { file: 'apps/push-worker/src/env.test.ts', name: 'the keys of docker-compose.yml' },
  },
]
