using Microsoft.Extensions.Logging;
using Millrace.Hosting.Health;
using Millrace.Primitives;

namespace Millrace.Batch.SparkConnect;

/// <summary>Whether the Spark server answers: for processes that cannot start their roles without it.</summary>
internal sealed class SparkServer(SparkClient client, ILogger<SparkServer> log) : IAwaitedServer, IAsyncDisposable
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SaidOnceIn = TimeSpan.FromSeconds(30);

    private readonly SparkSession _session = client.OpenSession();

    public string Name => "batch";

    /// <summary>Ends when it answers; BA-0008 at once, because waiting does not mend a credential.</summary>
    public async Task AnswersAsync(CancellationToken ct)
    {
        for (long startedAt = client.Time.GetTimestamp(), saidAt = 0; ;)
        {
            try
            {
                log.Answers(client.Options.Remote.Split(';')[0], await AskAsync(ct).ConfigureAwait(false));
                return;
            }
            catch (MillraceException e) when (e.Error.Definition != BatchErrors.CredentialRefused)
            {
                if (saidAt == 0 || client.Time.GetElapsedTime(saidAt) >= SaidOnceIn)
                {
                    saidAt = client.Time.GetTimestamp();
                    log.WaitingForSpark(client.Options.Remote.Split(';')[0], e.Error.Detail ?? e.Message,
                        (int)client.Time.GetElapsedTime(startedAt).TotalSeconds);
                }
            }

            await Task.Delay(TryAgainAfter, client.Time, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Its version, or the error why it does not say.</summary>
    public async Task<string> AskAsync(CancellationToken ct)
    {
        try
        {
            return await _session.VersionAsync(ct).ConfigureAwait(false);
        }
        catch (MillraceException e) when (SparkFailures.IsSessionLost(e))
        {
            _session.Forget();
            return await _session.VersionAsync(ct).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => _session.DisposeAsync();
}
