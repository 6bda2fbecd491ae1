namespace Millrace.TestKit.Servers;

/// <summary>
/// Linux shares a busy machine's cores by session, and a session that has run on one core for a while has next to
/// nothing of another: a thread of it that wakes up there waits for seconds beside the processes of a test. A server
/// that stands still so looks like one that has failed.
/// </summary>
internal static class SchedulerGroup
{
    // As nice has it, for the whole session.
    private const string Weight = "-15";

    /// <summary>Gives the session of the process more weight, where the kernel has such groups and lets us.</summary>
    public static void Favor(int process)
    {
        try
        {
            File.WriteAllText($"/proc/{process}/autogroup", Weight);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"Server {process} has the usual share of the cores: {e.Message}");
        }
    }
}
