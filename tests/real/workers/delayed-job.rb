# Delayed Job without Rails, as its documentation says. See scene.py for the verbs.
require "logger"
require "active_record"
require "delayed_job_active_record"

verb, database, *tags = ARGV
if database.include?("/")
  ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: database, timeout: 5000)
else
  ActiveRecord::Base.establish_connection(adapter: "postgresql", database: database)
end
ActiveRecord::Base.logger = nil
ActiveRecord::Migration.verbose = false

# What its generator delayed_job:active_record writes.
class CreateDelayedJobs < ActiveRecord::Migration[6.1]
  def change
    create_table :delayed_jobs do |table|
      table.integer :priority, default: 0, null: false
      table.integer :attempts, default: 0, null: false
      table.text :handler, null: false
      table.text :last_error
      table.datetime :run_at
      table.datetime :locked_at
      table.datetime :failed_at
      table.string :locked_by
      table.string :queue
      table.timestamps null: true
    end
    add_index :delayed_jobs, [:priority, :run_at], name: "delayed_jobs_priority"
  end
end

Mail = Struct.new(:tag) do
  def perform
    line("start #{tag}")
    sleep if ENV["REAL_VERB"] == "hold"
    line("done #{tag}")
  end

  def line(text)
    File.open(ENV.fetch("REAL_LOG"), "a") { |file| file.puts(text) }
  end
end

if verb == "add"
  CreateDelayedJobs.new.migrate(:up) unless ActiveRecord::Base.connection.table_exists?(:delayed_jobs)
  tags.each { |tag| puts Delayed::Job.enqueue(Mail.new(tag)).id }
else
  ENV["REAL_VERB"] = verb
  Delayed::Worker.logger = Logger.new($stderr)
  Delayed::Worker.sleep_delay = 0.2
  Delayed::Worker.destroy_failed_jobs = false
  Delayed::Worker.new.start
end
