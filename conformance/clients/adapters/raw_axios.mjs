// A raw call in node with axios 1.21.1, by the client protocol.
import { createInterface } from 'node:readline'
import axios from 'axios'

const name = `axios ${axios.VERSION}`

async function call(asked) {
  try {
    const { data } = await axios.post(asked.url + asked.method, asked.params, { timeout: 10_000 })
    if (data.error) return { error: { code: data.error, description: data.error_description } }
    return { value: data.result }
  } catch (error) {
    console.error(error) // as an application logs it
    const refusal = error.response?.data
    if (refusal?.error) {
      return { error: { code: refusal.error, description: refusal.error_description, status: error.response.status } }
    }
    return { exception: String(error) }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ ...(await call(JSON.parse(line))), client: name }))
}
