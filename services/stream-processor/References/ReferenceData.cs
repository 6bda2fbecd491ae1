using System.Text;
using System.Text.Json;
using Millrace.Stores.Identities;

namespace Millrace.StreamProcessor.Sources;

/// <summary>What queries may join with that is no stream: the devices that the hub knows.</summary>
internal sealed class ReferenceData(IIdentityStore identities)
{
    private const int PageSize = 1_000;

    /// <summary>All devices in order of their ids: id, state and tags.</summary>
    public async Task<IReadOnlyList<byte[]>> DevicesAsync(CancellationToken ct)
    {
        var entries = new List<byte[]>();
        string? continuation = null;
        do
        {
            var page = await identities.ListAsync(null, PageSize, continuation, ct);
            foreach (var device in page.Items)
            {
                var id = JsonSerializer.Serialize(device.DeviceId);
                var state = device.Status == DeviceStatus.Enabled ? "enabled" : "disabled";
                entries.Add(Encoding.UTF8.GetBytes(
                    $"{{\"id\":{id},\"state\":\"{state}\",\"tags\":{device.TagsJson}}}"));
            }

            continuation = page.Continuation;
        }
        while (continuation is not null);
        return entries;
    }
}
