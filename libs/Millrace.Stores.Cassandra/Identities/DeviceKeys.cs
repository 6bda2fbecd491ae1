using Millrace.Hosting.Health;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Cassandra.Identities;

/// <summary>
/// The key under which device keys are encrypted. It is in a file of each machine, never in the database, which knows
/// its fingerprint: the first process makes the key, and one that comes with another is refused. While the key is
/// changed, processes have two, one of which the database knows.
/// </summary>
internal sealed class DeviceKeys(
    CassandraDatabase database, string keyFile, string? otherKeyFile, TimeProvider time) : IAwaitedServer
{
    private static readonly StoreStatement Select = new("SELECT fingerprint FROM device_keys WHERE hub = 'hub'");
    private static readonly StoreStatement Insert =
        new("INSERT INTO device_keys(hub, fingerprint) VALUES('hub', ?) IF NOT EXISTS");
    private static readonly StoreStatement Update =
        new("UPDATE device_keys SET fingerprint = ? WHERE hub = 'hub' IF EXISTS");
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private volatile DeviceKeyCipher? _cipher;

    string IAwaitedServer.Name => "device-keys";

    public async ValueTask<DeviceKeyCipher> CipherAsync(CancellationToken ct) =>
        _cipher ??= await OpenAsync(ct).ConfigureAwait(false);

    /// <summary>All stored keys are under the present key: it is the hub's from now on.</summary>
    public async ValueTask AllRenewedAsync(CancellationToken ct)
    {
        var cipher = await CipherAsync(ct).ConfigureAwait(false);
        await database.RunAsync(Update, ct, cipher.Fingerprint).ConfigureAwait(false);
    }

    async Task IAwaitedServer.AnswersAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await CipherAsync(ct).ConfigureAwait(false);
                return;
            }
            catch (MillraceException e) when (e.Error.Definition == StoreErrors.Unavailable)
            {
                await Task.Delay(TryAgainAfter, time, ct).ConfigureAwait(false);
            }
        }
    }

    private async Task<DeviceKeyCipher> OpenAsync(CancellationToken ct)
    {
        var known = await database.FirstAsync(Select, row => row.Get<string>(0), ct).ConfigureAwait(false);
        var cipher = DeviceKeyFile.Open(keyFile, mayMake: known is null, otherKeyFile);
        if (known is null)
        {
            var first = await database.RunAsync(Insert, ct, cipher.Fingerprint).ConfigureAwait(false);
            known = first.Applied ? cipher.Fingerprint : first[0].Get<string>("fingerprint");
        }

        return cipher.Knows(known)
            ? cipher
            : throw StoreErrors.DeviceKeyFileInvalid.With(keyFile,
                "Its key is not the hub's, which another process made.").AsException();
    }
}
