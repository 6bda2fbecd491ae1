using System.Text;
using System.Text.Json;
using Millrace.Stores.Identities;

namespace Millrace.StreamProcessor.References;

/// <summary>The devices that the hub knows, in order of their ids: id, state and tags.</summary>
internal sealed class DeviceReference(IIdentityStore identities, long bytesMax) : IReferenceSource
{
    private const int PageSize = 1_000;

    public async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct)
    {
        var entries = new EntryList(bytesMax);
        await foreach (var device in AllAsync(identities, ct))
        {
            var id = JsonSerializer.Serialize(device.DeviceId);
            var state = device.Status == DeviceStatus.Enabled ? "enabled" : "disabled";
            entries.Add(Encoding.UTF8.GetBytes($"{{\"id\":{id},\"state\":\"{state}\",\"tags\":{device.TagsJson}}}"));
        }

        return entries.Entries;
    }

    public static async IAsyncEnumerable<DeviceIdentity> AllAsync(
        IIdentityStore identities, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        string? continuation = null;
        do
        {
            var page = await identities.ListAsync(DeviceFilter.All, PageSize, continuation, ct);
            foreach (var device in page.Items) yield return device;
            continuation = page.Continuation;
        }
        while (continuation is not null);
    }
}
