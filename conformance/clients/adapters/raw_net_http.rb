# A raw call in Ruby with net/http, by the client protocol.
require 'json'
require 'net/http'

def vote(asked)
  body = JSON.generate(asked['params'])
  response = Net::HTTP.post(URI(asked['url'] + asked['method']), body, 'Content-Type' => 'application/json')
  answer = JSON.parse(response.body)
  if answer['error']
    { error: { code: answer['error'], description: answer['error_description'], status: response.code.to_i } }
  else
    { value: answer['result'] }
  end
end

$stdout.sync = true
while (line = $stdin.gets)
  begin
    answer = vote(JSON.parse(line))
  rescue StandardError => e
    answer = { exception: "#{e.class}: #{e.message}" }
  end
  puts JSON.generate(answer.merge(client: "net/http of Ruby #{RUBY_VERSION}"))
end
