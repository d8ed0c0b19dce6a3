import { describeMailServer } from './describe-mail-server.js'

await describeMailServer('exim')
