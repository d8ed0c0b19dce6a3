// @ts-check
import { audit } from './guards/audit.mjs'
import { chat } from './guards/chat.mjs'
import { consuming } from './guards/consuming.mjs'
import { email } from './guards/email.mjs'
import { intake } from './guards/intake.mjs'
import { ledger } from './guards/ledger.mjs'
import { outbox } from './guards/outbox.mjs'
import { page } from './guards/page.mjs'
import { publishing } from './guards/publishing.mjs'
import { push } from './guards/push.mjs'
import { realtime } from './guards/realtime.mjs'
import { replaying } from './guards/replaying.mjs'
import { runtime } from './guards/runtime.mjs'
import { topology } from './guards/topology.mjs'

/** @type {import('./mutant.mjs').Mutant[]} */
export const mutants = [
  ...topology,
  ...publishing,
  ...consuming,
  ...intake,
  ...replaying,
  ...runtime,
  ...ledger,
  ...chat,
  ...audit,
  ...push,
  ...email,
  ...realtime,
  ...outbox,
  ...page,
]
