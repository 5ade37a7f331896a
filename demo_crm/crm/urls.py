"""The addresses of the CRM."""

from django.urls import path

from .views import activities, calendar, contacts, folders, home, tasks

app_name = "crm"
urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("profile/", home.Profile.as_view(), name="profile"),
    path("contacts/", contacts.ContactList.as_view(), name="contacts"),
    path("contacts/new/", contacts.ContactCreate.as_view(), name="contact-new"),
    path("contacts/delete/", contacts.ContactBulkDelete.as_view(), name="contacts-delete"),
    path("contacts/deleted/", contacts.DeletedContacts.as_view(), name="deleted-contacts"),
    path("contacts/<int:pk>/", contacts.ContactDetail.as_view(), name="contact"),
    path("contacts/<int:pk>/edit/", contacts.ContactEdit.as_view(), name="contact-edit"),
    path("folders/", folders.FolderList.as_view(), name="folders"),
    path("folders/<int:pk>/", folders.FolderEdit.as_view(), name="folder-edit"),
    path("folders/<int:pk>/delete/", folders.FolderDelete.as_view(), name="folder-delete"),
    path("calendar/", calendar.Calendar.as_view(), name="calendar"),
    path("calendar/feed/", calendar.CalendarFeed.as_view(), name="calendar-feed"),
    path("activities/", activities.ActivityList.as_view(), name="activities"),
    path("activities/new/", activities.MeetingCreate.as_view(), name="activity-new"),
    path("activities/delete/", activities.ActivityBulkDelete.as_view(), name="activities-delete"),
    path("activities/deleted/", activities.DeletedActivities.as_view(), name="deleted-activities"),
    path("activities/<int:pk>/", activities.ActivityDetail.as_view(), name="activity"),
    path("activities/<int:pk>/edit/", activities.ActivityEdit.as_view(), name="activity-edit"),
    path("activities/<int:pk>/move/", calendar.ActivityMove.as_view(), name="activity-move"),
    path("tasks/", tasks.TaskList.as_view(), name="tasks"),
    path("tasks/board/", tasks.TaskBoard.as_view(), name="task-board"),
    path("tasks/new/", activities.TaskCreate.as_view(), name="task-new"),
    path("tasks/<int:pk>/status/", tasks.TaskStatus.as_view(), name="task-status"),
]
