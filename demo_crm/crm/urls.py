"""The addresses of the CRM."""

from django.urls import path

from .views import contacts, folders, home

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
]
