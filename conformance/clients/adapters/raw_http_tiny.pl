# A raw call in Perl with HTTP::Tiny, by the client protocol.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;

my $json = JSON::PP->new->utf8->allow_nonref;

sub vote {
    my ($asked) = @_;
    my $response = HTTP::Tiny->new(timeout => 10, verify_SSL => 1)->post(
        $asked->{url} . $asked->{method},
        { content => $json->encode($asked->{params}), headers => { 'Content-Type' => 'application/json' } },
    );
    my $answer = $json->decode($response->{content});
    if (defined $answer->{error}) {
        my ($code, $told) = ($answer->{error}, $answer->{error_description});
        return { error => { code => $code, description => $told, status => $response->{status} + 0 } };
    }
    return { value => $answer->{result} };
}

$| = 1;
while (my $line = <STDIN>) {
    my $answer = eval { vote($json->decode($line)) } // { exception => "$@" };
    $answer->{client} = sprintf 'HTTP::Tiny %s of Perl %vd', HTTP::Tiny->VERSION, $^V;
    print $json->encode($answer), "\n";
}
