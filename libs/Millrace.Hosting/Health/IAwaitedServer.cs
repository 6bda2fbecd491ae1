namespace Millrace.Hosting.Health;

/// <summary>A server without which the process's roles cannot start; it waits for each that is registered.</summary>
public interface IAwaitedServer
{
    /// <summary>What /readyz calls it.</summary>
    string Name { get; }

    /// <summary>What keeps it from answering, for everybody to read; null when there is no more to say.</summary>
    string? Trouble => null;

    /// <summary>Ends when the server answers, with the error when waiting for it is no use.</summary>
    Task AnswersAsync(CancellationToken ct);
}
