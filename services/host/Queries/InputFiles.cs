using System.IO.Compression;
using Millrace.Saql.Extensions;
using Millrace.Saql.Files;

namespace Millrace.Queries;

/// <summary>
/// The files of a run as JSON lines: what is packed or of another format is written so into a folder of its own, which
/// is gone when the run is over.
/// </summary>
internal sealed class InputFiles(QueryExtensions extensions) : IDisposable
{
    private DirectoryInfo? _folder;

    public async Task<string> LinesOfAsync(string input, string file, CancellationToken ct)
    {
        var isPacked = Path.GetExtension(file).Equals(".gz", StringComparison.OrdinalIgnoreCase);
        var ending = Path.GetExtension(isPacked ? file[..^3] : file).ToLowerInvariant();
        var isOther = InputFormats.IsOther(ending, extensions, input);
        if (!isPacked && !isOther) return file;
        _folder ??= Directory.CreateTempSubdirectory("millrace-");
        var lines = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
        await using (var target = File.Create(lines))
        {
            await using Stream source = isPacked
                ? new GZipStream(File.OpenRead(file), CompressionMode.Decompress)
                : File.OpenRead(file);
            if (!isOther) await source.CopyToAsync(target, ct);
            else
            {
                using var content = new MemoryStream();
                await source.CopyToAsync(content, ct);
                await target.WriteAsync(InputFormats.ToLines(content.ToArray(), ending, extensions, input), ct);
            }
        }

        return lines;
    }

    public void Dispose() => _folder?.Delete(recursive: true);
}
