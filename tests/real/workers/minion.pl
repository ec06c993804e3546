# Minion as its documentation says, on Minion::Backend::SQLite or ::Pg. See scene.py for the verbs.
use v5.36;
use Minion;

my ($verb, $database, @tags) = @ARGV;
my $minion = Minion->new($database =~ m{/} ? (SQLite => "sqlite:$database") : (Pg => "postgresql:///$database"));

sub line ($text) {
  open my $log, '>>', $ENV{REAL_LOG} or die "$ENV{REAL_LOG}: $!";
  say {$log} $text;
  close $log or die "$ENV{REAL_LOG}: $!";
}

$minion->add_task(mail => sub ($job, $tag) {
  line("start $tag");
  sleep if $verb eq 'hold';
  $job->finish;
  line("done $tag");  # it is over in the database too: the worker may be killed now
});

if ($verb eq 'add') {
  say $minion->enqueue(mail => [$_]) for @tags;
} else {
  # What a worker that was killed left behind is failed by the next one after half an hour; here only when asked to.
  $minion->missing_after($verb eq 'rescue' ? 60 : 10**9);
  my $worker = $minion->worker;
  $worker->status->{$_} = 1 for qw(dequeue_timeout heartbeat_interval);
  $worker->status->{jobs} = 2;
  $worker->run;
}
