namespace Millrace.Saql.Engine;
internal sealed class WindowState { }
