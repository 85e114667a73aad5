// @2bad/bitrix 2.5.1 by the client protocol, without the further attempts of got, which take 3 seconds and more.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import bitrix from '@2bad/bitrix'

const require = createRequire(import.meta.url)
const name = `@2bad/bitrix ${require('@2bad/bitrix/package.json').version}`

async function call(asked) {
  try {
    const answer = await bitrix.Bitrix(asked.url, undefined, { retry: 0 }).call(asked.method, asked.params)
    return { value: 'result' in answer ? answer.result : answer }
  } catch (error) {
    console.error(error) // as an application logs it
    // The code is a part of the text only.
    const refused = /failed to get the resource: (.*)\.$/.exec(error.message)
    return refused ? { error: { code: refused[1], description: error.message } } : { exception: String(error) }
  }
}

async function answer(asked) {
  return { ...(await call(asked)), params: asked.params, client: name, concurrent: true }
}

for await (const line of createInterface({ input: process.stdin })) {
  // Two calls that are made at once come as a list.
  for (const one of await Promise.all([JSON.parse(line)].flat().map(answer))) console.log(JSON.stringify(one))
}
