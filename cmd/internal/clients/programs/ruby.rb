# Connects as Net::HTTP does: ruby.rb HOST PORT CA
require "net/http"
host, port, ca = ARGV
http = Net::HTTP.new(host, port.to_i)
http.use_ssl, http.ca_file, http.open_timeout = true, ca, 5
begin
  http.start { puts "connected" }
rescue StandardError => e
  puts "#{e.class}: #{e.message}"
end
