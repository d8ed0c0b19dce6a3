// @ts-check
import { promises } from '../promises.mjs'

const application = 'examples/application'
const tests = `${application}/test/browser`

/** @type {import('../mutant.mjs').Mutant[]} */
export const page = [
  {
    name: 'page-text',
    promise: promises.pageShowsText,
    guards: 'what people write is text in the page',
    file: `${application}/public/timeline.js`,
    find: ', id: `content-${messageId}` }, content)',
    replace: ', id: `content-${messageId}` })\n  text.innerHTML = content',
    tests: { file: `${tests}/markup.test.ts`, name: 'is text wherever it is shown' },
  },
  {
    name: 'page-foreign-origin',
    promise: promises.pageShowsText,
    guards: 'a page of another origin cannot send in the name of whoever is logged in',
    file: `${application}/src/http/refuse-foreign-origins.ts`,
    find: 'origin !== undefined && !isOwn(origin)',
    replace: "origin === 'null' && !isOwn(origin)",
    tests: { file: `${tests}/foreign-site.test.ts` },
  },
  {
    name: 'page-same-id',
    promise: promises.storedOnce,
    guards: 'a message that may have been accepted is sent again under its id',
    file: `${application}/public/outgoing.js`,
    find: 'body: { messageId, content',
    replace: 'body: { messageId: createId(), content',
    tests: { file: `${tests}/outage.test.ts`, name: 'whose commit was cut off' },
  },
  {
    name: 'page-order-of-writing',
    promise: promises.keepsOrder,
    guards: 'a message is sent when the one before it is accepted',
    file: `${application}/public/outgoing.js`,
    find: '    await predecessor\n',
    replace: '',
    tests: { file: `${tests}/chat.test.ts`, name: 'sent after it' },
  },
]
