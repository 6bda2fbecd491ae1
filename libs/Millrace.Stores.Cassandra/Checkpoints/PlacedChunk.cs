using System.Buffers.Binary;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>Where a part of a state lies among its owner's chunks, and what it is.</summary>
/// <param name="Id">That the chunk there has, when it is the one.</param>
internal readonly record struct PlacedChunk(int Place, Guid Id)
{
    private const int Bytes = 4 + 16;

    /// <summary>
    /// Places for a state: those of the state before where they have the same, and for what is new places that it
    /// does not use.
    /// </summary>
    public static (PlacedChunk[] All, List<(int Place, StateChunk Chunk)> New) Arrange(
        List<StateChunk> chunks, IReadOnlyList<PlacedChunk> before)
    {
        var places = before.DistinctBy(chunk => chunk.Id).ToDictionary(chunk => chunk.Id, chunk => chunk.Place);
        var taken = before.Select(chunk => chunk.Place).ToHashSet();
        var (all, added) = (new PlacedChunk[chunks.Count], new List<(int, StateChunk)>());
        var free = 0;
        foreach (var (number, chunk) in chunks.Index())
        {
            if (!places.TryGetValue(chunk.Id, out var place))
            {
                while (taken.Contains(free)) free++;
                place = places[chunk.Id] = free++;
                added.Add((place, chunk));
            }

            all[number] = new PlacedChunk(place, chunk.Id);
        }

        return (all, added);
    }

    public static byte[] Write(IReadOnlyList<PlacedChunk> chunks)
    {
        var bytes = new byte[chunks.Count * Bytes];
        foreach (var (number, chunk) in chunks.Index())
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(number * Bytes), chunk.Place);
            chunk.Id.TryWriteBytes(bytes.AsSpan((number * Bytes) + 4));
        }

        return bytes;
    }

    public static PlacedChunk[] Read(byte[] bytes) =>
    [
        .. bytes.Chunk(Bytes).Select(chunk =>
            new PlacedChunk(BinaryPrimitives.ReadInt32LittleEndian(chunk), new Guid(chunk.AsSpan(4)))),
    ];
}
